"""What if: past stays of a zone under another tariff: revenue, who pays less, who pays more.

`stays` reads them, `crew` has them priced by worker processes (`worker`), `figures` adds up,
`simulate` does it all at once, `runs` keeps what the desk has asked for. Nothing here changes a
booking or a price. This file imports nothing: the workers start without Django.
"""
