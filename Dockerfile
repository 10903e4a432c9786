# The service, and with another command the migrations, the commands and the sandbox. compose.yaml shows all of them.
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PORT=8000 \
    INSTANCE_PATH=/tmp/instance

WORKDIR /srv/derapi

COPY requirements.txt ./
RUN python -m pip install --no-cache-dir --no-deps -r requirements.txt

COPY wsgi.py gunicorn.conf.py ./
COPY app ./app
COPY vendors ./vendors
COPY simulation ./simulation
COPY sandbox ./sandbox
# The root filesystem is read-only later, so that no process could keep what it compiles.
RUN python -m compileall -q app vendors simulation sandbox wsgi.py

# A number, so that an orchestrator can see that it is not root. It owns nothing here.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
CMD ["python", "-m", "app.server"]
