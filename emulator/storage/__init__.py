"""Objects by URI (S3): bytes in immutable files, facts about them in the store's index, archives packed and unpacked.

May not know HTTP, jobs or SageMaker; boto3 is imported in `external.py` only. The S3 API itself, with its versions,
conditions and errors, is `emulator.neighbours.s3`; both share what is here.
"""
