"""Writes the benchmark's corpus: code and prose of this machine's Python installation, no file twice.

    python3 corpus.py OUT.txt [BYTES]

The standard library's sources come first, then the text that installed packages bring (sources, licences, documentation).
Files whose content was already taken are left out, and so is what isn't UTF-8. The order is by hash, so that code and prose
are mixed the same way every time; the same Python gives the same corpus.
"""

import hashlib
import sys
import sysconfig
from pathlib import Path

ENDINGS = {".py", ".pyi", ".txt", ".md", ".rst", ".html", ".json", ".c", ".h", ".js", ".css", ".pyx", ".toml", ".cfg"}
# Tables and minified scripts aren't what people give to a language model.
LONGEST_FILE = 200_000


def candidates():
    paths = sysconfig.get_paths()
    for root in dict.fromkeys((paths["stdlib"], paths["purelib"], paths["platlib"], "/usr/share/doc", "/usr/share/perl")):
        for path in Path(root).rglob("*"):
            if path.suffix in ENDINGS or (root.startswith("/usr/share/doc") and path.name == "copyright"):
                if path.is_file() and not path.is_symlink() and 200 < path.stat().st_size < LONGEST_FILE:
                    yield path


def main():
    out, wanted = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    files = {}
    for path in candidates():
        data = path.read_bytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        files.setdefault(hashlib.sha256(data).digest(), data)
    size = 0
    with open(out, "wb") as file:
        for key in sorted(files):
            data = files[key][: wanted - size]
            file.write(data.decode("utf-8", "ignore").encode())
            size += len(data)
            if size >= wanted:
                return
    sys.exit(f"only {size} bytes of text are here, {wanted} were asked for")


main()
