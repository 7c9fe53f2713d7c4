"""Recipes, runs and reports: a paper's tables, measured.

A *recipe* (:mod:`.recipe`) names *cells*; the runner (:mod:`.runner`) executes each as
several *runs* and stores one file per run (:mod:`.store`); the report (:mod:`.report`)
reads the files. Nothing here imports torch before a cell is run.
"""
