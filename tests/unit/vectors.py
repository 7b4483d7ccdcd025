"""The reference implementation's own figures for the trace programs."""

# Program, rounds, witness, steps, commitment, output.
VECTORS = [
    ("fib.v0", 1, [0, 1], 3, "49f8e4cf13b7efa2dded3da53f794e654a717096b1feb98707731bb42cce831d", 1),
    (
        "fib.v0",
        10,
        [0, 1],
        12,
        "0ddf9edc648b678b3c85ea098ec1a1f0351cd7b64b125738a12d30e07ef97b0a",
        55,
    ),
    (
        "fib.v0",
        200,
        [0, 1],
        202,
        "f3414dc8d5d2aaaff44a1caa025385e8e6f817f7743298a241fe7b58da6972c6",
        17323038258947941269,
    ),
    (
        "fib.v0",
        10,
        [7, 11],
        12,
        "31d097d891ff3f2ba938968183570b22ea010a9b6b7d403e5ca0c78e80438b9d",
        843,
    ),
    (
        "sha256.v0",
        0,
        [],
        2,
        "bee317486e074e3e816a7d7b2725f4417d3967e15681b105eb389a09ce31aee0",
        16406829232824261652,
    ),
    (
        "sha256.v0",
        0,
        [1, 2, 3, 4],
        2,
        "bf3da938be13b5656b1086a1b701319a2c8f894ad6546d7adcd0d0c01d4b8472",
        8350237632718489709,
    ),
]
