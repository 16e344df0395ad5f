"""Whatever is sent, by whomever: Alpaca's answer or a client error, never a crash, and never a nonsense state."""

import math
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.alpaca.app import alpaca_app
from simulators.alpaca.devices import devices_of
from simulators.clock import HandClock
from tests.simulators.alpaca.asking import DUSK, an_observatory

DEVICES = devices_of(an_observatory(HandClock(DUSK)))
MEMBERS = sorted(
    (kind, member)
    for (kind, _), device in DEVICES.items()
    for member in (*device.kind.members, "connected", "devicestate", "connecting", "action", "commandblind")
    # these wait for the simulated clock, which nobody turns on here, or are no JSON
    if member not in ("slewtocoordinates", "slewtotarget", "slewtoaltaz", "setswitch", "setswitchvalue")
    if member != "imagearraybase64"
)
PARAMETERS = sorted(
    {
        name
        for device in DEVICES.values()
        for member in device.kind.members.values()
        for call in (member.get, member.put)
        if call is not None
        for name in call.parameters
    }
    | {"Connected", "ClientID", "ClientTransactionID", "Action", "Parameters", "Command", "Raw"}
)

values = st.one_of(
    st.sampled_from(["True", "False", "0", "1", "-1", "2", "12.5", "nan", "inf", "1e999", "99999999999", "", " ", "٣"]),
    st.floats(-400.0, 400.0).map(str),
    st.integers(-5, 3000).map(str),
    st.text(max_size=12),
)
requests = st.lists(
    st.tuples(
        st.sampled_from(["GET", "PUT"]),
        st.sampled_from(MEMBERS),
        st.dictionaries(st.sampled_from(PARAMETERS), values, max_size=4),
        st.floats(0.0, 100.0),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(requests)
async def test_every_request_is_answered_by_the_rules(
    calls: list[tuple[str, tuple[str, str], dict[str, str], float]],
) -> None:
    clock = HandClock(DUSK)
    observatory = an_observatory(clock)
    transport = httpx.ASGITransport(app=alpaca_app(observatory))
    async with httpx.AsyncClient(transport=transport, base_url="http://observatory") as http:
        for kind, _ in DEVICES:
            await http.put(f"/api/v1/{kind}/0/connected", data={"Connected": "True", "ClientID": "1"})
        for method, (kind, member), parameters, wait_s in calls:
            sent: dict[str, Any] = {"params": parameters} if method == "GET" else {"data": parameters}
            answer = await http.request(method, f"/api/v1/{kind}/0/{member}", **sent)
            assert answer.status_code in (200, 400)
            if answer.status_code == 200:
                _follows_the_rules(answer.json())
            clock.advance(wait_s)
    assert all(map(math.isfinite, observatory.mount.axes.true_deg(clock.now().timestamp())))
    assert math.isfinite(observatory.cameras[0].cooler.temperature_c)


def _follows_the_rules(answer: dict[str, Any]) -> None:
    assert {"ClientTransactionID", "ServerTransactionID", "ErrorNumber", "ErrorMessage"} <= set(answer)
    assert answer["ErrorNumber"] == 0 or 0x400 <= answer["ErrorNumber"] <= 0xFFF
    assert ("Value" in answer) is (answer["ErrorNumber"] == 0)
    assert bool(answer["ErrorMessage"]) is (answer["ErrorNumber"] != 0)
