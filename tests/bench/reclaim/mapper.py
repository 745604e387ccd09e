"""Maps a file and reads all its pages again and again. usage: mapper.py FILE"""

import mmap
import sys
import time

with open(sys.argv[1], "rb") as file:
    memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
while True:
    sum(memory[at] for at in range(0, len(memory), mmap.PAGESIZE))
    time.sleep(0.2)
