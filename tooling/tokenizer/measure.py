"""Times one of Python's tokenizers on the benchmark's corpus: measure.py LIBRARY FILE CORPUS, one JSON line.

LIBRARY is `tokenizers` (FILE is a tokenizer.json) or `tiktoken` (FILE is a rank file, cut by cl100k's pattern).
"""

import base64
import json
import os
import resource
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

# Lines in one text; the JavaScript side cuts the corpus the same way.
LINES = 1000


def resident():
    with open("/proc/self/statm") as opened:
        return int(opened.read().split()[1]) * resource.getpagesize() / 2**20


def main():
    library, file, corpus = sys.argv[1:]
    with open(corpus, encoding="utf-8", newline="") as opened:
        text = opened.read()
    lines = text.split("\n")
    pieces = ["\n".join(lines[at : at + LINES]) for at in range(0, len(lines), LINES)]
    del lines
    if library == "tokenizers":
        import tokenizers

        before = resident()
        started = time.perf_counter()
        tokenizer = tokenizers.Tokenizer.from_file(file)
        loaded = time.perf_counter()
        # The fastest of its calls: no offsets.
        rows = [tokenizer.encode_batch_fast([piece], add_special_tokens=False)[0].ids for piece in pieces]
    else:
        import tiktoken

        before = resident()
        started = time.perf_counter()
        with open(file, "rb") as opened:
            ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in opened)}
        pattern = (
            r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
            r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
        )
        encoding = tiktoken.Encoding("cl100k", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        loaded = time.perf_counter()
        rows = [encoding.encode_ordinary(piece) for piece in pieces]
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "speed": len(text.encode()) / 1e6 / (done - loaded),
                "load": (loaded - started) * 1000,
                "memory": peak - before,
                "process": peak,
                "tokens": sum(map(len, rows)),
            }
        )
    )


main()
