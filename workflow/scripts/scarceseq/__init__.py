"""scarceseq: guided transfer learning and one-shot perturbation selection from scarce data."""
