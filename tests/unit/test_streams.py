"""Bodies that come and go a piece at a time."""

import pytest

from farm.blobs import DirectoryBlobs
from farm.errors import BlobMissing
from farm.streams import PIECE, Draft, pieces

BODY = bytes(range(256)) * (PIECE // 100)


@pytest.fixture
def blobs(tmp_path):
    return DirectoryBlobs(tmp_path)


@pytest.fixture
def ref(blobs):
    with Draft(blobs) as draft:
        for start in range(0, len(BODY), 1000):
            draft.write(BODY[start : start + 1000])
        return draft.keep()


def files(blobs):
    return [path for path in blobs.root.rglob("*") if path.is_file()]


def test_what_comes_in_pieces_is_the_blob_that_it_is(blobs, ref):
    assert blobs.get(ref) == BODY and blobs.put(BODY) == ref
    assert b"".join(pieces(blobs, ref)) == BODY and len(list(pieces(blobs, ref))) == 3
    assert b"".join(pieces(blobs, ref, 5, PIECE + 7)) == BODY[5 : PIECE + 7]
    assert len(files(blobs)) == 1


def test_the_same_once_more_changes_nothing(blobs, ref):
    with Draft(blobs) as draft:
        draft.write(BODY)
        assert draft.keep() == ref
    assert len(files(blobs)) == 1


def test_nothing_is_a_body_too(blobs):
    with Draft(blobs) as draft:
        ref = draft.keep()
    assert ref.endswith("-0") and b"".join(pieces(blobs, ref)) == b""


def test_what_is_not_kept_leaves_nothing(blobs):
    with pytest.raises(KeyboardInterrupt), Draft(blobs) as draft:
        draft.write(b"half of")
        raise KeyboardInterrupt
    assert files(blobs) == []


@pytest.mark.parametrize("harm", ["gone", "short", "changed"])
@pytest.mark.parametrize("part", [(), (10, 20)])
def test_what_is_not_whole_is_missing(blobs, ref, harm, part):
    path = blobs.path(ref)
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(BODY[:-1] + (b"" if harm == "short" else b"!"))
    coming, got = pieces(blobs, ref, *part), b""
    with pytest.raises(BlobMissing):
        for piece in coming:
            got += piece
    assert len(got) < len(BODY) and not (part and got)
