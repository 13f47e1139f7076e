"""How far the main jobs scale: formulas from measured costs, checked against a simulation.

| file | what it is for |
|---|---|
| `cluster` | hosts, workers, network and file system, as assumed |
| `steps` | what a job is made of, as far as time is concerned |
| `jobs` | the main jobs: what is measured of each, and how that grows |
| `costs` | measures, on this machine, what a tile, a byte and a barrier cost |
| `formulas` | the time of a job in closed form, and the walls it meets |
| `simulate` | the same job event by event: queues, leases, credits, unequal tiles |
| `page` | docs/limits.md |
"""
