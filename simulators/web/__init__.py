"""A page for people at the root of the observatory's server."""
