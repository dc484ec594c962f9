"""The promise, broken on purpose in a copy of the clone: each breakage must turn a test red.

breakages.py   what is broken, and which tests must notice
__main__.py    breaks one thing at a time and shows what noticed; `make chaos-mutants`
"""
