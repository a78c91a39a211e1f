"""What ``ssh -L PORT:localhost:PORT HEAD`` does, through a socket file that two machines of a lab share.

``python tunnel.py here PORT FILE`` on the one machine, ``python tunnel.py there PORT FILE`` on the other.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter


async def pump(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main(side: str, port: int, file: str) -> None:
    async def joined(reader: StreamReader, writer: StreamWriter) -> None:
        other = asyncio.open_unix_connection(file) if side == "here" else asyncio.open_connection("127.0.0.1", port)
        try:
            far_reader, far_writer = await other
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    if side == "here":
        server = await asyncio.start_server(joined, "127.0.0.1", port)
    else:
        server = await asyncio.start_unix_server(joined, file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
