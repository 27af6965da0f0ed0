#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Look for an initialisation vector that an SA has used twice.

    lib/nonces.py CAPTURE

CAPTURE is one of connections that carry ESP with AES-GCM, whose vectors stand
behind the ESP header. To use one twice gives the key of authentication away.
Prints how many packets there were of the SA that had the most.
"""
import collections
import sys

from segments import ESP_HEADER, fail, frames, streams

IV = 8


def main(path):
    """Check a capture."""
    seen = collections.defaultdict(set)
    for data in streams(path).values():
        for frame in frames(data):
            spi, iv = frame[:4], frame[ESP_HEADER:ESP_HEADER + IV]
            if spi == bytes(4) or len(iv) < IV:
                continue
            if iv in seen[spi]:
                fail(f"SPI {spi.hex()} uses {iv.hex()} twice, here with number {frame[4:8].hex()}")
            seen[spi].add(iv)
    print(max(map(len, seen.values()), default=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
