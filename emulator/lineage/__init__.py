"""What came of what: which entities a job, a model package or an endpoint leaves in the lineage, and walks over it.

Pure: reads records as values and answers values. May not know the store, requests or other records than it is given.
"""
