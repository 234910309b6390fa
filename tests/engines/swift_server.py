"""OpenStack Swift with its S3 door, all four servers in one process: an S3 that tells right from wrong.

Run as a program of its own, never imported by a test: it replaces the standard library's sockets.
    python -m tests.engines.swift_server FOLDER PORT
FOLDER must be on a file system with user attributes (ext4, xfs). Access key test:tester, secret testing.
"""

import sys
from pathlib import Path

import eventlet

eventlet.monkey_patch()

_PROXY = """
[DEFAULT]
swift_dir = {folder}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats bulk s3api tempauth slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
object_post_as_copy = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
check_bucket_owner = false
[filter:symlink]
use = egg:swift#symlink
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""
_PLAIN = "".join(
    f"[filter:{name}]\nuse = egg:swift#{name}\n"
    for name in ("catch_errors", "gatekeeper", "listing_formats", "bulk", "slo", "dlo")
)


def main(folder: Path, port: int) -> None:
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = one\ndefault = yes\n"
    )
    from swift.common import utils

    # Before anything else of Swift: the storage policies are read at import.
    utils.set_swift_dir(str(folder))
    from eventlet import wsgi
    from swift.account.server import AccountController
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.ring import RingBuilder
    from swift.common.wsgi import loadapp
    from swift.container.server import ContainerController
    from swift.obj.server import ObjectController

    utils.validate_hash_conf()
    (folder / "devices" / "disk").mkdir(parents=True, exist_ok=True)
    conf = {"devices": str(folder / "devices"), "mount_check": "false", "swift_dir": str(folder)}
    for kind, controller in (
        ("account", AccountController),
        ("container", ContainerController),
        ("object", ObjectController),
    ):
        listener = eventlet.listen(("127.0.0.1", 0))
        builder = RingBuilder(1, 1, 0)
        place = {"region": 0, "zone": 0, "ip": "127.0.0.1", "port": listener.getsockname()[1]}
        builder.add_dev({"id": 0, "weight": 1, "device": "disk", **place})
        builder.rebalance()
        builder.get_ring().save(str(folder / f"{kind}.ring.gz"))
        server = controller({**conf, "bind_port": str(place["port"])})
        eventlet.spawn(wsgi.server, listener, server, utils.NullLogger(), protocol=SwiftHttpProtocol)

    proxy = folder / "proxy.conf"
    proxy.write_text(_PROXY.format(folder=folder) + _PLAIN)
    door = eventlet.listen(("127.0.0.1", port), backlog=128)
    wsgi.server(door, loadapp(str(proxy)), utils.NullLogger(), protocol=SwiftHttpProtocol)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
