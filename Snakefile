# Front door: the config, the stages in the order in which data flows, and what to make.
# Without --configfile, the embedded default (config/demo.yaml) runs.

from snakemake.utils import min_version

min_version("9.27.1")

if not workflow.config_settings.configfiles:

    configfile: "config/demo.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/machinery.smk"


pathvars:
    results=RESULTS,


for stage in STAGES:

    include: f"rules/{stage}.smk"


rule all:
    default_target: True
    input:
        "<results>/report.html",


hash_code_into_params()
ask_for_what_is_needed()


onstart:
    take_lock()
    check_folder()
    say_what_it_takes()
