"""Pages of the log's file overwritten at random: `docket replay verify` always ends by itself and says where the damage
is; the broker serves what is whole, or ends and says what is damaged and what helps; a copy made before is whole.
300 variants of what stands in the pages, or more for DOCKET_SOAK_S seconds."""
import os, pathlib, random, shutil, signal, subprocess, time
from concurrent.futures import ThreadPoolExecutor
from site_of import BIN, Program, Site
from load import Load, define_organization

PAGE, VARIANTS, BROKERS = 4096, 300, 20
SOAK_S = float(os.environ.get("DOCKET_SOAK_S", "0"))


def overwrite(chance, good):
    """One to three pages of it are as something else wrote them."""
    data, pages = bytearray(good), len(good) // PAGE
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(pages) * PAGE
        kind = chance.randrange(6)
        if kind == 0:
            data[at:at + PAGE] = chance.randbytes(PAGE)
        elif kind == 1:
            data[at:at + PAGE] = bytes(PAGE)
        elif kind == 2:  # another page's content: its number is wrong
            other = chance.randrange(pages) * PAGE
            data[at:at + PAGE] = good[other:other + PAGE]
        elif kind == 3:  # the header's flags and bounds
            data[at + 8:at + 16] = chance.randbytes(8)
        elif kind == 4:  # where its nodes are
            data[at + 16:at + 32] = chance.randbytes(16)
        else:  # the nodes at its end: sizes, page numbers, positions
            data[at + PAGE - 64:at + PAGE] = chance.randbytes(64)
    return bytes(data)


def write_site(site, folder, log):
    """A copy of the site's folder with another data.mdb."""
    folder.mkdir()
    config = (site.data / "docket.yaml").read_text()
    (folder / "docket.yaml").write_text(config.replace("ahead: 128MiB", "ahead: 1MiB"))
    shutil.copytree(site.data / "keys", folder / "keys")
    shutil.copytree(site.data / "log" / "seals", folder / "log" / "seals")
    (folder / "log" / "data.mdb").write_bytes(log)
    return folder


def verify(folder):
    return subprocess.run([BIN / "docket", "--config", folder, "replay", "verify"], capture_output=True, text=True,
                          timeout=60)


def check_verify(folder, head):
    """By itself, with a place or with what is gone. How it was told."""
    done = verify(folder)
    said = f"{done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
    assert done.returncode in (0, 1, 65), said  # 65: nothing of it could be read
    if done.returncode == 0:
        assert head in done.stdout, f"passed, and is not what was written: {said}"
        return "untouched"
    if "position " in done.stdout:
        return "below" if "the log's tree of pages is damaged here" in done.stdout else "positions"
    assert done.stderr.strip().splitlines()[-1].startswith("docket: ") and str(folder) in done.stderr, said
    return "root"


def check_broker(folder, name):
    """It serves, or ends and names the folder. Whether it serves."""
    program = Program([BIN / "docket-broker", "--config", folder], folder / "broker.log")
    try:
        program.start(20)
    except RuntimeError:
        code = program.process.wait(20)
        said = program.said()
        assert code in (1, 65, -signal.SIGSEGV), f"{name}: {code}: {said}"
        assert f"{folder}/log" in said, f"{name}: {code}: {said}"
        return False
    code = program.end()
    assert code == 0 or f"{folder}/log" in program.said(), f"{name}: {code}: {program.said()}"
    return True


def build(site):
    site.start()
    define_organization(site)
    with Load(site, 2, 3000, 1) as load:
        time.sleep(1.5)
        load.end()
    subprocess.run([BIN / "docket", "--config", site.data, "status"], check=True, stdout=subprocess.DEVNULL)
    time.sleep(0.3)  # seals are taken
    site.end()
    good = (site.data / "log" / "data.mdb").read_bytes()
    done = verify(site.data)
    assert done.returncode == 0, done.stdout
    used = len(good.rstrip(b"\0"))  # zeros are written ahead
    return good[:-(-used // PAGE) * PAGE], done.stdout.split()[-1]


seed = int(os.environ.get("DOCKET_SEED", random.randrange(1 << 31)))
print(f"DOCKET_SEED={seed}", flush=True)
with Site() as site, ThreadPoolExecutor(2) as pool:
    good, head = build(site)
    assert verify(write_site(site, site.path / "copy", good)).returncode == 0

    def variant(number):
        chance = random.Random(seed * 1000003 + number)
        folder = write_site(site, site.path / str(number), overwrite(chance, good))
        try:
            told = check_verify(folder, head)
            serves = check_broker(folder, number) if number % (VARIANTS // BROKERS) == 0 else None
        except Exception as error:
            raise AssertionError(f"DOCKET_SEED={seed}, variant {number}: {error}")
        shutil.rmtree(folder)
        return told, serves

    begin, number, told = time.monotonic(), 0, []
    while number < VARIANTS or time.monotonic() - begin < SOAK_S:
        told += pool.map(variant, range(number, number + 50))
        number += 50
    kinds = {kind: sum(t == kind for t, _ in told) for kind in sorted({t for t, _ in told})}
    print(f"{len(good) // PAGE} pages, {number} variants: {kinds}; brokers: "
          f"{sum(s is True for _, s in told)} served, {sum(s is False for _, s in told)} ended")
    assert kinds["positions"] > number // 10 and kinds.get("below", 0) + kinds.get("root", 0) > number // 20
    assert verify(site.path / "copy").stdout.split()[-1] == head, "the copy is not whole"
