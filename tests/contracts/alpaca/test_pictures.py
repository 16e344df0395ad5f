"""The pictures that a camera delivers, in every form and of every size."""

import base64
from typing import Any

import numpy as np
import pytest

from simulators.physics.camera import CameraSettings
from tests.contracts.alpaca.benches import ADDRESS
from tests.contracts.alpaca.cameras import expose, frame, pairs, whole
from tests.contracts.alpaca.instruments import Instrument, Opening


def pixels(camera: Instrument) -> np.ndarray[Any, Any]:
    """As the camera counts them: [x][y]."""
    return np.array(camera.read("ImageArray"))


ASYMMETRIC = CameraSettings(width_px=96, height_px=64, asymmetric_binning=True)


@pytest.mark.parametrize("binning", [(1, 1), (2, 2), (3, 3), (4, 4), (1, 2), (4, 2), (3, 1), (2, 3)])
def test_every_binning_delivers_whole_pictures_and_each_of_four_corners(
    opened: Opening, binning: tuple[int, int]
) -> None:
    columns, rows = binning
    camera = opened("Camera") if columns == rows else opened("Camera", cameras=(ASYMMETRIC,))
    if binning not in pairs(camera):
        pytest.skip(f"this camera does not bin by {columns} and {rows}")
    width, height = whole(camera, columns, rows)
    expose(camera, 0.1)
    picture = pixels(camera)
    assert picture.shape[:2] == (width, height)
    half_x, half_y = width // 2, height // 2
    for start_x, start_y in ((0, 0), (half_x, 0), (0, half_y), (half_x, half_y)):
        frame(camera, start_x, start_y, half_x, half_y)
        expose(camera, 0.1)
        corner = pixels(camera)
        assert corner.shape[:2] == (half_x, half_y)
        if not ADDRESS:  # each pixel of our sky is its number
            assert np.array_equal(corner, picture[start_x : start_x + half_x, start_y : start_y + half_y])
    whole(camera)


def test_a_picture_comes_as_bytes_to_who_asks_for_them_and_as_json_else(opened_bare: Opening) -> None:
    camera = opened_bare("Camera")
    width, height = whole(camera)
    expose(camera, 0.1)
    path, ids = "/api/v1/camera/0/imagearray", [("ClientTransactionID", 99)]
    as_json = camera.bare.wire.ask("GET", path, ids)
    assert as_json.content_type.startswith("application/json")
    answer = as_json.json
    assert (answer["Type"], answer["Rank"], answer["ClientTransactionID"]) == (2, 2, 99)
    accepting = {"Accept": "application/imagebytes, application/json"}
    as_bytes = camera.bare.wire.ask("GET", path, ids, accepting)
    assert as_bytes.content_type.startswith("application/imagebytes")
    header = np.frombuffer(as_bytes.body[:44], "<i4")
    version, failed, client, server, begins, _, wire_type, rank, first, second, third = header.tolist()
    assert (version, failed, client, rank, first, second, third) == (1, 0, 99, 2, width, height, 0)
    assert server >= 1
    types = {1: "<i2", 2: "<i4", 8: "<u2"}
    sent = np.frombuffer(as_bytes.body[begins:], types[wire_type]).reshape(width, height)
    assert np.array_equal(sent, np.array(answer["Value"]))


def test_a_picture_is_handed_off_in_base64_to_who_still_asks_for_that(opened_bare: Opening) -> None:
    camera = opened_bare("Camera")
    width, height = whole(camera)
    expose(camera, 0.1)
    reply = camera.bare.wire.ask("GET", "/api/v1/camera/0/imagearray", (), {"base64handoff": "true"})
    answer = reply.json
    if "Dimension0Length" not in answer:
        pytest.skip("this camera hands nothing off")
    assert (answer["Type"], answer["Rank"]) == (2, 2)
    assert [answer[f"Dimension{axis}Length"] for axis in range(3)] == [width, height, 0]
    assert reply.headers["base64handoff"] == "true"
    encoded = camera.bare.wire.ask("GET", "/api/v1/camera/0/imagearraybase64").body
    sent = np.frombuffer(base64.b64decode(encoded), "<i4").reshape(width, height)
    assert np.array_equal(sent, pixels(camera))
