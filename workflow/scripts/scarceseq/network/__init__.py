"""Gene graphs: directed, weighted edges between gene symbols, source -> target."""
