"""What is private stays private."""

import stat

import pytest

from farm import private
from farm.errors import StoreFailed


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_password_is_made_once_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "new" / "password"
    first = private.password(file)
    assert len(first) == 48
    assert private.password(file) == first
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_was_open_is_closed(tmp_path):
    tmp_path.chmod(0o755)
    assert mode(private.folder(tmp_path)) == 0o700


def test_a_folder_that_cannot_be_made_says_where(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match="file/inside"):
        private.folder(tmp_path / "file" / "inside")


def test_only_a_closed_folder_of_ours_counts_as_ours(tmp_path):
    link, closed = tmp_path / "link", tmp_path / "closed"
    closed.mkdir(mode=0o700)
    link.symlink_to(closed)
    assert private.is_ours(closed)
    assert not private.is_ours(link)
    assert not private.is_ours(tmp_path / "missing")
    closed.chmod(0o750)
    assert not private.is_ours(closed)
