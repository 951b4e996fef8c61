# What the rules of rules/archive.smk read and which settings they get, as far as the config decides it.


def archive_inputs():
    """Local folders and files that the archive is read from, so that a change there is noticed."""
    if "demo" in config:
        return [f"{RESULTS}/demo/archive"]
    return []


def metadata_filter():
    """Thresholds of the corpus that metadata alone can tell, so that what they rule out is never fetched."""
    keys = ("kept_types", "min_mapped_reads", "excluded_library_selections")
    return {key: config["corpus"]["runs"][key] for key in keys}


def draw_of_studies():
    """How studies are drawn; without a draw, nothing that another seed would change."""
    archive = config["archive"]
    draw = {"studies": archive["draw_studies"], "runs": archive["max_runs"]}
    return draw | {"seed": config["seed"]} if any(draw.values()) else {}


def accession_table(wildcards):
    """The table of what other archives call the studies, if there is one."""
    table = config["archive"]["study_accessions"]
    return {"accessions": table} if table else {}


def user_study(wildcards):
    """Settings of one user study, without its ids elsewhere, which only the archive needs to know."""
    study = next(study for study in config["user_studies"] if study["name"] == wildcards.study)
    settings = study | {"organism": study["organism"] or config["archive"]["organism"]}
    return {key: value for key, value in settings.items() if key not in ("accessions", "annotation")}


def user_study_files(wildcards):
    """Files of one user study: its counts, its labels if it has any, the annotation of its organism."""
    study = next(study for study in config["user_studies"] if study["name"] == wildcards.study)
    files = {name: study[name] for name in ("counts", "labels", "gene_id_table") if study[name]}
    return files | {"annotation": study["annotation"] or f"{RESULTS}/archive/annotation.gtf.gz"}
