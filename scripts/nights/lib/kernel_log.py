"""Prints what comes to the kernel log from now on, a line each, as it comes. dmesg ends where the ring overtakes it."""

import errno
import os

log = os.open("/dev/kmsg", os.O_RDONLY)
os.lseek(log, 0, os.SEEK_END)
while True:
    try:
        record = os.read(log, 8192)
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        print("records were overwritten", flush=True)
        continue
    # what follows a newline is a dictionary of the device
    print(record.decode(errors="replace").split(";", 1)[1].split("\n", 1)[0], flush=True)
