"""Histories that are imported, and what an import left in a log."""
import collections, os, pathlib, shutil, zipfile
import docket_pb2 as pb
from docket_client import Client
from site_of import Site, skip

SHARED = pathlib.Path(os.environ["DOCKET_SHARED"])
MAPS = pathlib.Path(__file__).resolve().parents[2] / "replay/import/maps"
UCI = ("--map", MAPS / "uci_incident.yaml")
MENDELEY = ("--map", MAPS / "mendeley_helpdesk.yaml")
TICKET, IMPORT_STARTED, IMPORT_FINISHED = 1, 121, 122


def uci_file(folder):
    """The UCI incident log, unpacked into a folder."""
    if not SHARED.exists():
        skip(f"the data sets are not at {SHARED}")
    with zipfile.ZipFile(SHARED / "uci_incident/incident_event_log.zip") as archive:
        return pathlib.Path(archive.extract("incident_event_log.csv", folder))


def same_site(site):
    """Another site with the same empty log, salt and keys: what is imported there can be compared."""
    site.broker.start()
    site.broker.end()
    other = Site()
    shutil.rmtree(other.data)
    shutil.copytree(site.data, other.data, ignore=lambda folder, names: {"run"} & set(names))
    (other.data / "run").mkdir()
    return other


def records(site):
    """Every record of the site's log, in order, as bytes."""
    client, position, found = Client(site.data, "analyst"), 1, []
    while True:
        reply = client.call(fetch=pb.Fetch(**{"from": position})).records
        if not reply.event:
            return found
        found += reply.event
        position = reply.next


def load(record, offset, size=8):
    return int.from_bytes(record[offset:offset + size], "little")


def kind(record):
    return load(record, 61, 4)


def subject(record):
    return load(record, 38)


def content(record):
    """A record without what tells when and in which request it was recorded."""
    r = bytearray(record)
    for at, size in ((6, 4), (11, 8), (20, 8), (52, 8), (98, 8)):
        r[at:at + size] = bytes(size)  # crc, position, recorded, previous, producer's number
    r[66] &= ~pb.FLAG_MORE
    if subject(record) >> 56 != TICKET:
        r[29:37] = bytes(8)  # definitions and the like occur when they are recorded
    return bytes(r)


def by_subject(found):
    """Each ticket's and entity's records; what imports say of themselves is left out."""
    subjects = collections.defaultdict(list)
    for record in found:
        if kind(record) not in (IMPORT_STARTED, IMPORT_FINISHED):
            subjects[subject(record)].append(content(record))
    return subjects


def tickets(found):
    """Each ticket's events, by its name in the source."""
    subjects = collections.defaultdict(list)
    for record in found:
        if subject(record) >> 56 == TICKET:
            subjects[subject(record)].append(pb.Event.FromString(record))
    return {events[0].opened.reference.decode(): events for events in subjects.values()}
