"""What measures Tidemill against its peers: the standard library only.

| file | what it is for |
|---|---|
| `job` | what a job file says: cases, contestants, tolerances |
| `worker` | runs one function of a job file in a fresh process, in the peers' environment |
| `measure` | runs a process: its time from exec to exit, its peak of memory |
| `turns` | a job's contestants in turn, several times, and whether they agree |
| `peers` | the virtual environment of the peers, and what is in it |
| `machine` | what it all ran on |
| `results` | what was measured, as files |
| `page`, `svg`, `units` | the page, its pictures, numbers as people read them |
| `stores` | the web server that jobs about stores read from |
| `mantle`, `rotated`, `tables` | data and answers that several jobs share, for the peers' Python |
"""
