"""A host that does as the test says: speaks the frames of farm-host, proves nothing.

Run as a program. The verb tells what to do, or, where a task chooses the verb, the first part
does: JSON that is added to the arguments, its "verb" instead of the one asked.
FARM_STANDIN_GREETING, FARM_STANDIN_ZKVM and FARM_STANDIN_FEATURES change how it greets.
"""

import ctypes
import json
import os
import struct
import sys
import time

ZKVM = os.environ.get("FARM_STANDIN_ZKVM", "3.0.6")


def read():
    head, body = struct.unpack("<IQ", exactly(12))
    header = json.loads(exactly(head))
    parts = [exactly(length) for length in header["parts"]]
    assert sum(map(len, parts)) == body
    return header, parts


def exactly(length):
    found = sys.stdin.buffer.read(length)
    if len(found) != length:
        sys.exit(0)
    return found


def write(header, *parts):
    header["parts"] = [len(part) for part in parts]
    head = json.dumps(header).encode()
    sys.stdout.buffer.write(struct.pack("<IQ", len(head), sum(map(len, parts))) + head)
    sys.stdout.buffer.write(b"".join(parts))
    sys.stdout.buffer.flush()


def spin(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def die(args):
    sys.stderr.write("cannot go on: no memory\n")
    sys.stderr.flush()
    os.kill(os.getpid(), 9) if args.get("signal") else os._exit(args.get("code", 70))


def garbage(args):
    sys.stdout.buffer.write(b"\xff" * 64)
    sys.stdout.buffer.flush()
    time.sleep(60)


def chatter(args):
    sys.stderr.write("x" * 99 + "\n" + ("y" * 1023 + "\n") * 2048)
    sys.stderr.flush()


def hang(args):
    time.sleep(args.get("seconds", 60))


WHIMS = {"die": die, "garbage": garbage, "chatter": chatter, "hang": hang}


def answer(number, verb, args, parts):
    """Do one verb; the default is to give back what came, with the facts of the request."""
    if parts and parts[0].startswith(b"{"):
        args = args | json.loads(parts[0])
        verb = args.pop("verb", verb)
    WHIMS.get(verb, lambda args: None)(args)
    if verb == "wrong-id":
        number += 1
    if verb == "nothing":
        return write({"id": number})
    if verb == "fail":
        return write({"id": number, "failed": {"kind": args["kind"], "facts": args["facts"]}})
    if verb == "execute":
        execute(number, args)
        args = args | EXECUTED | {"segments": args.get("segments", 3)}
        parts = [b"journal", b"stdout", b"stderr"]
    spin(args.get("spin", 0))
    return write({"id": number, "done": {"verb": verb, **args}}, *parts)


def execute(number, args):
    for index in range(args.get("segments", 3)):
        spin(args.get("spin", 0))
        facts = {"index": index, "po2": 16, "claim": CLAIM, "digest": "00" * 32}
        write({"id": number, args.get("emits", "segment"): facts}, b"segment %d" % index)


CLAIM = {"pre": "00" * 32, "post": "00" * 32, "input": "00" * 32, "output": "00" * 32}
CLAIM |= {"sys_exit": 0, "user_exit": 0}
EXECUTED = {"image_id": "11" * 32, "sys_exit": 0, "user_exit": 0, "cycles": {}, "claim": CLAIM}


def main():
    assert sys.argv[1:3] == ["serve", "--parent-pid"], sys.argv
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # die with the parent, as the real one does
    greeting = os.environ.get("FARM_STANDIN_GREETING", "good")
    if greeting == "none":
        sys.exit("error: unexpected argument 'serve'")
    if greeting == "late":
        time.sleep(60)
    features = os.environ.get("FARM_STANDIN_FEATURES", "cpu").split()
    hello = {"protocol": 1, "host": "0.1.0", "zkvm": ZKVM, "features": features, "mode": "real"}
    write({"hello": {**hello, "pid": os.getpid(), "argv": sys.argv[1:]}})
    while True:
        header, parts = read()
        answer(header["id"], header["verb"], header["args"], parts)


if __name__ == "__main__":
    main()
