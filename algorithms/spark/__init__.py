"""PySpark for processing jobs: `smspark-submit` of the service's Spark images, on a local master."""
