"""`gsc` asks, our sky answers: in the twelve columns the driver reads, for the exposure that was just asked for."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from simulators.clock import HandClock
from simulators.indi.field import Field
from simulators.indi.listener import Listener
from simulators.indi.path import MountPath
from simulators.indi.sensor import Sensor
from simulators.indi.stars import StarServer
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue
from tests.desk import DUSK, RIDGE

FIELD = Field(stars=StarCatalogue.load(), swarm=Swarm.from_synthetic(DUSK, 1), ground=RIDGE, sensor=Sensor())
RATE = 60.0
COLUMNS = re.compile(r"\S{1,10}( [-\d.]+){7} \S{1,4} \S{1,2} [\d.]+ \d+")
PLACE = (120.5, 40.25)
QUESTION = "-c {0:8.6f} {1:+8.6f} -r 92.1 -m 0 11.00 -n 3000\n"


class Deaf(Listener):
    """A listener whose server is not there: nobody was heard to ask for an exposure, unless a test says so."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock(DUSK)


@pytest.fixture
def listener(clock: HandClock) -> Listener:
    return Deaf("127.0.0.1", 9, now=clock.now, path=MountPath(RIDGE))


@pytest.fixture
def stars(clock: HandClock, listener: Listener) -> Iterator[StarServer]:
    with StarServer(FIELD, MountPath(RIDGE), listener, now=clock.now, rate=RATE) as server:
        yield server


def asked(stars: StarServer, question: str) -> str:
    with socket.create_connection(("127.0.0.1", stars.port)) as line:
        line.sendall(question.encode())
        return b"".join(iter(lambda: line.recv(65536), b"")).decode()


def test_every_line_is_one_the_driver_reads_and_lies_in_the_circle_it_asked_for(stars: StarServer) -> None:
    lines = asked(stars, QUESTION.format(*PLACE)).splitlines()
    assert len(lines) > 20
    assert [line for line in lines if not COLUMNS.fullmatch(line)] == []
    columns = np.array([[float(word) for word in line.split()[1:5]] for line in lines])
    assert np.max(np.abs(columns[:, 1] - PLACE[1])) <= 92.1 / 60.0
    near = FIELD.stars.within(*PLACE, 92.1 / 60.0, faintest=11.0)
    assert set(np.round(near.magnitude, 2)) <= set(columns[:, 3])


@pytest.mark.parametrize("question", ["\n", "-v\n", "-c 1 2\n", "-c x y -r 1 -m 0 11 -n 3000\n", "\xff\n"])
def test_what_the_driver_never_asks_gets_no_stars_and_does_no_harm(stars: StarServer, question: str) -> None:
    assert asked(stars, question) == ""
    assert asked(stars, QUESTION.format(*PLACE)) != ""


def test_the_script_says_what_the_server_says(stars: StarServer, tmp_path: Path) -> None:
    stars.write_script(tmp_path / "bin")
    words = QUESTION.format(*PLACE).split()
    said = subprocess.run([tmp_path / "bin" / "gsc", *words], env={"PATH": os.defpath}, capture_output=True, check=True)
    assert said.stdout.decode() == asked(stars, QUESTION.format(*PLACE))
    assert said.stderr == b""


def test_without_a_server_the_script_fails_and_says_nothing_of_stars(stars: StarServer, tmp_path: Path) -> None:
    stars.write_script(tmp_path)
    script = tmp_path / "gsc"
    script.write_text(script.read_text().replace(str(stars.port), "9"))
    said = subprocess.run([script, *QUESTION.split()], env={"PATH": os.defpath}, capture_output=True, check=False)
    assert said.returncode != 0
    assert said.stdout == b""


def test_a_frame_is_true_once_its_exposure_is_over(stars: StarServer, listener: Listener, clock: HandClock) -> None:
    listener.asked = (DUSK, 20.0)
    clock.advance(3.0)  # at sixty times life speed the driver takes that long to ask for stars
    asked(stars, QUESTION.format(*PLACE))
    assert stars.truths(clock.now()) == []
    clock.advance(20.0)
    (truth,) = stars.truths(clock.now())
    assert (truth.number, truth.started_at, truth.exposure_s) == (1, DUSK, 20.0)
    assert truth.mid_at == DUSK + timedelta(seconds=10)
    assert (truth.true_icrs_ra_deg, truth.true_icrs_dec_deg) == pytest.approx(PLACE)
    assert stars.truths(clock.now()) == [truth]


def test_each_frame_has_a_number_and_a_wish_long_past_is_not_taken_for_this_one(
    stars: StarServer, listener: Listener, clock: HandClock
) -> None:
    listener.asked = (DUSK, 20.0)
    asked(stars, QUESTION.format(*PLACE))
    clock.advance(600.0)
    asked(stars, QUESTION.format(*PLACE))
    clock.advance(600.0)
    first, second = stars.truths(clock.now())
    assert (first.number, second.number) == (1, 2)
    assert first.exposure_s == 20.0
    assert second.started_at == DUSK + timedelta(seconds=600)
    assert second.exposure_s == 1.0
