"""INDI's own simulators as part of our sky: Debian's `indiserver` started, fed with stars, followed, and stopped."""
