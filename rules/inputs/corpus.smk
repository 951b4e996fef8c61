# What the rules of rules/corpus.smk read and which settings they get, as far as the config decides it.

import hashlib


def user_studies():
    """Names of the studies that the user brings."""
    return [study["name"] for study in config.get("user_studies", [])]


def orthologue_table():
    """The table that joins organisms, if there is one."""
    orthologues = config["corpus"]["orthologues"]
    return [orthologues["table"]] if orthologues else []


def vocabulary():
    """Attributes that get terms, and a hash of the shipped table, so that a change there is noticed."""
    attributes = config["corpus"]["vocabulary"]["attributes"]
    shipped = SCRIPTS / "scarceseq" / "corpus" / "vocabulary.tsv"
    return {"attributes": attributes, "shipped": hashlib.sha256(shipped.read_bytes()).hexdigest()} if attributes else {}


def drawn_roles(wildcards, input):
    """Hash of the roles of all studies, as soon as the corpus is there: a task that changes no role reruns nothing."""
    for path in input:
        os.stat(path)
    from scarceseq.corpus import splits

    try:
        return splits.hash_of(splits.splits_of_run(input.samples, input.attributes, config))
    except (InputError, OSError, ValueError, KeyError):  # the step itself says what is wrong
        return ""
