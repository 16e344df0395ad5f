"""A mount for the tests of the links, with a property of every kind, and the way to it."""

from drivers.config import IndiDevice
from tests.drivers.indi.fake_indi import FakeDevice, FakeIndi, FakeProperty, slowly, spring_back


def a_mount() -> FakeDevice:
    device = FakeDevice(
        "Mount",
        FakeProperty("Number", "PLACE", {"RA": 1.0, "DEC": 2.0}, state="Ok", limits=(-90.0, 360.0)),
        FakeProperty("Number", "RATE", {"RA": 15.0, "DEC": 0.0}),
        FakeProperty("Switch", "TRACKS", {"TRACK_ON": False, "TRACK_OFF": True}),
        FakeProperty("Switch", "ABORT", {"ABORT": False}, rule="AtMostOne"),
        FakeProperty("Text", "SITE", {"PLACE": "La Palma"}),
        FakeProperty("Light", "HEALTH", {"MOTOR": "Ok"}),
        FakeProperty("Number", "INFO", {"APERTURE": float("nan")}, perm="ro"),
        FakeProperty("BLOB", "PICTURE", {"IMAGE": ""}, perm="ro"),
    )
    device.reactions |= {"PLACE": slowly(20.0), "ABORT": spring_back}
    return device


def settings(server: FakeIndi, device: str = "Mount") -> IndiDevice:
    return IndiDevice(driver="indi", address=server.address, device=device)
