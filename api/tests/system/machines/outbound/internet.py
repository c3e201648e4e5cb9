"""The servers of the test's other networks: a web server on all addresses, and a name server. Arguments: the web server's
directory, the name server's address, and the address of each name that ends with `.example`."""

import functools
import http.server
import socket
import struct
import sys
import threading

root, resolver, answer = sys.argv[1:]


class Web(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


def reply(query):
    """A record of type A for names of `.example`, nothing for their other types, and no such name for all others."""
    end, labels = 12, []
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]])
        end += 1 + query[end]
    kind = struct.unpack("!H", query[end + 1 : end + 3])[0]
    is_known = labels[-1:] == [b"example"]
    records = [socket.inet_aton(answer)] if is_known and kind == 1 else []
    head = query[:2] + struct.pack("!HHHHH", 0x8180 if is_known else 0x8183, 1, len(records), 0, 0)
    body = b"".join(struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + record for record in records)
    return head + query[12 : end + 5] + body


handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=root)
web = Web(("::", 80), handler)
threading.Thread(target=web.serve_forever, daemon=True).start()
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind((resolver, 53))
print("ready", flush=True)
while True:
    question, peer = names.recvfrom(4096)
    names.sendto(reply(question), peer)
