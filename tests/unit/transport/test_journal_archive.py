"""The archive of recorded runs: what it keeps, and what it reads anew."""

import os

from console.transport.journals.archive import FolderArchive
from console.transport.journals.journal_file import open_journal


def test_a_run_that_is_asked_for_is_read_anew_though_its_size_and_time_are_the_same(tmp_path):
    journal = open_journal(tmp_path, "one", lambda: 1.0)
    journal.append("opened", {"operator": "ann"})
    journal.close()
    archive = FolderArchive(tmp_path)
    assert archive.summaries()[0].chain.sound
    path = tmp_path / "one" / "journal.jsonl"
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(b"ann", b"bob"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert archive.read("one").chain.broken_line == 1
    assert archive.summaries()[0].chain.broken_line == 1, "and the list knows it from then on"
