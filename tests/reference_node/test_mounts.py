"""What a path lies on, by the table of mounts."""

from pathlib import Path

import pytest

from setup_wizard.reference_node.storage import Mount, find_mount

TABLE = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /srv rw,relatime shared:1 - nfs filer.example.com:/srv rw,vers=3
31 30 8:1 / /srv/local rw,relatime shared:2 master:1 - xfs /dev/sda1 rw
32 22 0:41 / /mnt/two\\040words rw - nfs4 filer.example.com:/words rw
33 22 0:42 / /over rw - nfs4 filer.example.com:/over rw
34 33 0:43 / /over rw - tmpfs tmpfs rw
a line that is none
35 22 0:44 / /srvother rw - ext4 /dev/vdb rw
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "mountinfo").write_text(TABLE)
    return tmp_path / "mountinfo"


@pytest.mark.parametrize(
    ("path", "point", "is_nfs"),
    [
        ("/var/opt/redislabs/persist", "/", False),
        ("/srv", "/srv", True),
        ("/srv/redis/not-yet-made", "/srv", True),
        ("/srv/local/redis", "/srv/local", False),
        ("/srv/../var", "/", False),
        ("/srvother/redis", "/srvother", False),
        ("/mnt/two words/redis", "/mnt/two words", True),
        ("/over/redis", "/over", False),
    ],
)
def test_the_deepest_mount_counts_and_the_last_of_two_at_one_point(table, path, point, is_nfs):
    mount = find_mount(Path(path), table)

    assert (mount.point, mount.is_nfs) == (Path(point), is_nfs)


def test_the_table_of_this_machine_can_be_read():
    assert find_mount(Path("/proc/self")).file_system == "proc"


def test_without_a_table_no_mount_is_found(tmp_path):
    assert find_mount(Path("/srv"), tmp_path / "absent") is None


def test_a_mount_knows_whether_it_is_nfs():
    assert [Mount(Path("/srv"), kind).is_nfs for kind in ("nfs", "nfs4", "ext4", "nfsd")] == [True, True, False, False]
