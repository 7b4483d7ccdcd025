"""The unions' claims are those that real guests rely on, for any number of requests."""

import pytest

from farm.claim import KECCAK_ROOT, RECURSION_ROOT
from farm.keccaks import Keccaks
from farm.offers import Offers
from farm.pool import Pool
from farm.wire import KeccakRecord

#: Claims of the requests of the guest `keccak` fed 900 and "farm" (po2 20, keccak po2 14); each
#: request but the last is full, so with fewer rounds the first ones are the same.
FULL = [
    "df4d4d8b769d9c923733380c90f01873a344a051fe3c36c78c729a1ad4d0a7e9",
    "98121eb4765d57c4d4f719039e668ef55cc83b6c6a11c5c82ec45caad3891045",
    "96248252603b4a8ff728b417685de4f4a0ae448bfb8f117e5f97918da9713eeb",
    "30e9ccc516e94a0d299c3d776346771c7f1920e7a1f185b7876edd4d338f9169",
    "93703f755cfca22a114548bcd907fb51de0b371f8fc9a7ac58ce61f10008bcb6",
    "459429e22a1d1c57e1cf76671b1eaaeae686554bf280c9d2c7f6b2f4dffa0b67",
    "c505bad6284716c9dbd0a18d8061e16f69146beef474a5e0633d6fbe89c14366",
    "924b13055cea9bb3416d28967fcf945cad3fa252189930b13fecc486d045d63d",
    "51b942c8edacdc21fefddc1178f9bd13250760300ec047c0da5bc7cc43371606",
    "8c3e244d657fa1f6da54d5291d739fce16de3d3ed8e0ee99e45be7432f76a8f3",
    "dd6462cef1512228629c0a3fa640b17a771705173b2c89b3e25cc982d9458ebd",
]
#: Rounds -> how many requests, the claim of the last, and that of the root that farm-host named.
ROUNDS = {
    82: (
        2,
        "178ff30519d166329dcb4a82e0fafec03d1a967fce146499a0d0da2c48fcab20",
        "8b549e795c0408958c57f25488997f53c388ee9c4329eb0bbb4daeaaf2082363",
    ),
    487: (
        7,
        "526ad81bb82ba96b8edee76dfca7a667924b0a8e64cfa3c2313091d5cccab8bd",
        "5a612ddade46d1465ecaad8827fb83ed0247fe7616b688a5b019b97417e7e8e2",
    ),
    900: (
        12,
        "e3b1087dee51e1b589f2f43d95d8e16ab531cfd8021bd395a72565362ff00de7",
        "13d1572524758766a7ad35f6023ea927b1c2051510b5eeb4eeea7f3b63d4fbd6",
    ),
}


def unions(digests):
    made = Keccaks(Offers("s", "t", Pool(), Pool()), {})
    for index, digest in enumerate(digests):
        made.add(index, KeccakRecord("00-1", 14, digest))
    made.end(len(digests))
    return made


@pytest.mark.parametrize("rounds", ROUNDS)
def test_the_root_is_what_the_guest_relies_on(rounds):
    count, last, root = ROUNDS[rounds]
    made = unions([*FULL[: count - 1], last])
    assert made.proves(root, RECURSION_ROOT)
    assert not made.proves(root, KECCAK_ROOT)
    assert not made.proves(last, RECURSION_ROOT)


def test_one_request_is_relied_on_as_it_is():
    made = unions(FULL[:1])
    assert made.proves(FULL[0], KECCAK_ROOT)
    assert not made.proves(FULL[0], RECURSION_ROOT)


def test_another_order_of_requests_is_another_root():
    count, last, root = ROUNDS[487]
    assert not unions([last, *FULL[: count - 1]]).proves(root, RECURSION_ROOT)
