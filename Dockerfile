# python:3.11-slim (3.11.15), pinned: a new digest is a commit like any other
FROM python:3.11-slim@sha256:9358444059ed78e2975ada2c189f1c1a3144a5dab6f35bff8c981afb38946634
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir -r requirements.lock
COPY app.py ./
COPY .streamlit .streamlit
COPY margin margin
COPY data data
COPY ui ui
COPY pages pages
RUN useradd --create-home app && mkdir /prices && chown app /prices
USER app
ENV MARGIN_DATA_DIR=/prices
VOLUME /prices
EXPOSE 8501
HEALTHCHECK CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health')"
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
