"""A mount at the end of a busy link: what it answers was so at some instant of a call that took its time."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta

import anyio

from drivers.values import MountStatus
from tests.bridge.calibration.bad_drivers import BadDriver


@dataclass
class BusyLink(BadDriver):
    """Most calls are quick, `share` of them late by up to `late_s`, both on the way there and on the way back.

    A reading is said to be of the middle between question and answer, as our drivers have it; `unseen` of them come so
    much later that it does not show, as an INDI server's on a busy computer.
    """

    share: float = 0.3
    late_s: float = 0.2
    quick_s: float = 0.004
    unseen: float = 0.0
    unseen_s: float = 0.05
    seed: int = 5
    _luck: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._luck = random.Random(self.seed)

    async def status(self) -> MountStatus:
        asked_at = (await self.mount.status()).read_at
        await self._way()
        status = await self.mount.status()
        await self._way()
        answered_at = (await self.mount.status()).read_at
        unseen_s = self.unseen_s * self._luck.random() if self._luck.random() < self.unseen else 0.0
        return replace(status, read_at=asked_at + (answered_at - asked_at) / 2 + timedelta(seconds=unseen_s))

    async def track(self, *, ra_deg_per_s: float, dec_deg_per_s: float) -> None:
        await self._way()
        await super().track(ra_deg_per_s=ra_deg_per_s, dec_deg_per_s=dec_deg_per_s)
        await self._way()

    async def turn_axes(self, *, primary_deg_per_s: float, secondary_deg_per_s: float) -> None:
        await self._way()
        await super().turn_axes(primary_deg_per_s=primary_deg_per_s, secondary_deg_per_s=secondary_deg_per_s)
        await self._way()

    async def _way(self) -> None:
        late_s = self.late_s * self._luck.random() ** 2 if self._luck.random() < self.share else 0.0
        await anyio.sleep(self.quick_s * self._luck.random() + late_s)
