"""What a stream that is not INDI raises; the link turns it into a ConnectionLost and the connection is left."""


class NotIndi(Exception):
    """What came is not INDI, or more than is taken; nothing that follows on the same connection can be trusted."""
