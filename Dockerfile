# Tutelage on the CPU, from this checkout:
#
#   docker build --tag tutelage .
#   docker run --rm --volume "$PWD:/data" tutelage fit drift --train labelled.csv --text text --label label --out run
#
# Both steps below are those of tools/fresh.sh, which runs them in a fresh environment without Docker.
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 TUTELAGE_CACHE=/cache
WORKDIR /tutelage
COPY . .
RUN sh tools/fresh.sh install /opt/tutelage \
    && sh tools/fresh.sh check /opt/tutelage \
    && useradd --create-home user && mkdir /cache /data && chown user /cache /data
USER user
WORKDIR /data
VOLUME ["/cache"]
ENTRYPOINT ["/opt/tutelage/bin/tutelage"]
CMD ["--help"]
