"""A stand-in for the name server that the document has in front of Consul: forwards, and keeps answers for their TTL.

PORT ADDRESS DNS-PORT: listens on PORT of every address of its host, asks ADDRESS at DNS-PORT. UDP, as stubs ask.
"""

from __future__ import annotations

import socket
import sys
import time

import dns.message
import dns.query


def main() -> None:
    """Until its host ends."""
    port, address, behind = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    kept: dict[tuple[str, int], tuple[float, dns.message.Message]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("0.0.0.0", port))
        while True:
            data, client = listening.recvfrom(4096)
            try:
                question = dns.message.from_wire(data)
                asked = question.question[0]
                until, answer = kept.get((asked.name.to_text(), asked.rdtype), (0.0, question))
                if time.monotonic() >= until:
                    answer = dns.query.udp(question, address, timeout=2, port=behind)
                    lives = min((group.ttl for group in answer.answer), default=0)
                    kept[asked.name.to_text(), asked.rdtype] = (time.monotonic() + lives, answer)
                answer.id = question.id
                listening.sendto(answer.to_wire(), client)
            except Exception as error:  # noqa: BLE001 - whatever a client sends, the next one is served
                sys.stderr.write(f"{type(error).__name__}: {error}\n")


if __name__ == "__main__":
    main()
