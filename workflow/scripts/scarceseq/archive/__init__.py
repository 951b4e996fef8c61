"""Archive room: plan, download, verify and read studies in the layout of recount3; bring in a user's own studies."""
