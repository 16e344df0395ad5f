"""Nights in which the real bridge is killed again and again, and a judge who looks at what is left."""
