"""Works that a run's methods cite, as BibTeX."""

REFERENCES = {
    "wilks2021": """@article{wilks2021,
  author = {Wilks, Christopher and others},
  title = {recount3: summaries and queries for large-scale {RNA-seq} expression and splicing},
  journal = {Genome Biology},
  volume = {22},
  pages = {323},
  year = {2021}
}
""",
    "molder2021": """@article{molder2021,
  author = {M{\\"o}lder, Felix and others},
  title = {Sustainable data analysis with {Snakemake}},
  journal = {F1000Research},
  volume = {10},
  pages = {33},
  year = {2021}
}
""",
    "gtl_images": """@misc{gtl_images,
  title = {Guided Transfer Learning},
  howpublished = {arXiv:2303.16154},
  year = {2023}
}
""",
    "gtl_rnaseq": """@misc{gtl_rnaseq,
  title = {{arXiv} preprint 2311.12045},
  howpublished = {arXiv:2311.12045},
  note = {guided transfer learning on mouse {RNA-seq}; look up title and authors},
  year = {2023}
}
""",
    "graph_selection": """@misc{graph_selection,
  title = {{arXiv} preprint 2503.14571},
  howpublished = {arXiv:2503.14571},
  note = {one-shot selection of perturbations on gene graphs; look up title and authors},
  year = {2025}
}
""",
    "nadeau2003": """@article{nadeau2003,
  author = {Nadeau, Claude and Bengio, Yoshua},
  title = {Inference for the generalization error},
  journal = {Machine Learning},
  volume = {52},
  pages = {239--281},
  year = {2003}
}
""",
    "holm1979": """@article{holm1979,
  author = {Holm, Sture},
  title = {A simple sequentially rejective multiple test procedure},
  journal = {Scandinavian Journal of Statistics},
  volume = {6},
  pages = {65--70},
  year = {1979}
}
""",
    "demsar2006": """@article{demsar2006,
  author = {Dem{\\v{s}}ar, Janez},
  title = {Statistical comparisons of classifiers over multiple data sets},
  journal = {Journal of Machine Learning Research},
  volume = {7},
  pages = {1--30},
  year = {2006}
}
""",
    "ahlmann2025": """@article{ahlmann2025,
  author = {Ahlmann-Eltze, Constantin and Huber, Wolfgang and Anders, Simon},
  title = {Deep-learning-based gene perturbation effect prediction does not yet outperform simple linear baselines},
  journal = {Nature Methods},
  year = {2025}
}
""",
    "roohani2024": """@article{roohani2024,
  author = {Roohani, Yusuf and Huang, Kexin and Leskovec, Jure},
  title = {Predicting transcriptional outcomes of novel multigene perturbations with {GEARS}},
  journal = {Nature Biotechnology},
  volume = {42},
  pages = {927--935},
  year = {2024}
}
""",
    "yu2006": """@inproceedings{yu2006,
  author = {Yu, Kai and Bi, Jinbo and Tresp, Volker},
  title = {Active learning via transductive experimental design},
  booktitle = {Proceedings of the 23rd International Conference on Machine Learning},
  pages = {1081--1088},
  year = {2006}
}
""",
}
