"""One Celery task per proving step; installed and imported as farm.tasks."""
