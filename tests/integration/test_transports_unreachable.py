"""What replays, simulates, imports or stores cannot send a notice: of all programs built here only docket-node holds the
delivery's code or libcurl. The tests of the transports themselves apart."""
import os, pathlib, re, shutil, subprocess
from site_of import BIN, skip

DELIVERY = re.compile(r" [Tt] dk_(delivery|webhooks|mails?|files|lanes|digests|compose)_")

if not shutil.which("nm") or not shutil.which("readelf"):
    skip("nm and readelf (binutils) are not installed")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def reaches_transports(program):
    return bool(DELIVERY.search(output_of("nm", program))) or "libcurl" in output_of("readelf", "-d", program)


programs = [p for p in sorted(pathlib.Path(BIN).iterdir())
            if p.is_file() and os.access(p, os.X_OK) and not p.name.startswith("test_")]
reaching = [p.name for p in programs if reaches_transports(p)]
node = next(p for p in programs if p.name == "docket-node")
assert {"dk_webhooks_post", "dk_mails_send", "dk_files_write"} <= set(output_of("nm", node).split()), "the look-out knows each"
assert "docket-node" in reaching, "the look-out itself must work"
assert reaching == ["docket-node"], reaching
print(f"{len(programs)} programs, transports in {reaching}")
