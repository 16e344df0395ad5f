"""Whether whoever answers has proven to be whom the name says. No call ever goes out to one who has not."""

import ssl

import httpx

from bridge.api.meanings import plain_words


def unproven(error: httpx.HTTPError) -> str:
    """What is wrong with the certificate that was shown, in words; nothing where the call failed of something else."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"who answers as {plain_words(error.request.url.host)} cannot prove it: "
                f"{plain_words(cause.verify_message)}; nothing was sent to it. "
                "Look at this computer's clock, and at whose network this is"
            )
        cause = cause.__cause__ or cause.__context__
    return ""
