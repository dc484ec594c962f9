"""What the demo keeps, and who may read it."""

import base64
import stat
import tempfile
from pathlib import Path

import pytest

from setup_wizard.project.demo.directory import SOCKET_PATH_BYTES, Directory
from setup_wizard.project.demo.errors import AlreadyRunningError, CannotStartError


@pytest.fixture
def directory(tmp_path):
    directory = Directory(tmp_path / "demo")
    directory.prepare()
    return directory


def rights(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("name", ["secret_key", "credential_key"])
def test_a_secret_is_made_once_and_is_private(directory, name):
    first = getattr(directory, name)().read_text()

    again = getattr(Directory(directory.path), name)()

    assert again.read_text() == first
    assert rights(again) == 0o600
    assert rights(again.parent) == 0o700


def test_the_credential_key_is_32_random_bytes(directory, tmp_path):
    other = Directory(tmp_path / "other")
    other.prepare()

    keys = [each.credential_key().read_text() for each in (directory, other)]

    assert [len(base64.b64decode(key)) for key in keys] == [32, 32]
    assert keys[0] != keys[1]


def test_a_second_launcher_learns_where_the_first_one_runs(directory):
    with (
        directory.lock(8010),
        pytest.raises(AlreadyRunningError, match=r"already running at http://127\.0\.0\.1:8010/"),
        directory.lock(8000),
    ):
        pass


def test_the_lock_is_released_at_the_end(directory):
    with directory.lock(8010):
        pass

    with directory.lock(8000):
        pass


def test_a_long_path_has_its_socket_in_a_short_private_directory(tmp_path):
    directory = Directory(tmp_path.joinpath(*["a-very-deep-directory"] * 6) / "var" / "demo")

    socket = directory.socket()

    assert len(str(directory.path / "valkey" / "valkey.sock")) > SOCKET_PATH_BYTES
    assert len(str(socket)) <= SOCKET_PATH_BYTES
    directory.make_socket_directory(socket)
    assert rights(socket.parent) == 0o700
    socket.parent.rmdir()


def test_a_path_that_needs_quoting_is_not_used_for_the_socket(tmp_path):
    socket = Directory(Path("/home/maria/my clone/var/demo")).socket()

    assert socket.parent.parent == Path(tempfile.gettempdir())


def test_a_socket_directory_that_others_can_read_is_refused(tmp_path):
    socket = tmp_path / "open" / "valkey.sock"
    socket.parent.mkdir(mode=0o755)

    with pytest.raises(CannotStartError, match="not a private directory of yours"):
        Directory(tmp_path).make_socket_directory(socket)


def test_a_symlink_as_socket_directory_is_refused(tmp_path):
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "mine")

    with pytest.raises(CannotStartError, match="not a private directory of yours"):
        Directory(tmp_path).make_socket_directory(tmp_path / "link" / "valkey.sock")


def test_a_long_log_is_renamed_at_the_start(directory):
    directory.log("web").write_bytes(b"." * (1024 * 1024 + 1))
    directory.log("worker").write_text("short\n")

    directory.roll_logs()

    assert sorted(each.name for each in (directory.path / "logs").iterdir()) == ["web.log.1", "worker.log"]


def test_remove_deletes_everything(directory):
    directory.secret_key()

    directory.remove()

    assert not directory.path.exists()
