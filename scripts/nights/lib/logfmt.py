"""Reads a line of logfmt as pairs of key and value, as it stands there: quoted values stay quoted."""

import re

TOKEN = re.compile(r'([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)')


def tokens(line):
    return TOKEN.findall(line)
