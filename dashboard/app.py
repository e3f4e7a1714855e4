"""Entry script of the console: its pages, its look, and what is the same on each of them.

Started by `stillwatch console`, or by hand:
STILLWATCH_WORKSPACE=DIR python -m streamlit run dashboard/app.py
"""

import streamlit as st

from dashboard import reading
from dashboard.drawing import inert, show, style

st.set_page_config(page_title="Stillwatch", layout="wide", initial_sidebar_state="expanded")
style()

# The folder is not called pages/: Streamlit would run a page of that name by itself, before this script.
page = st.navigation(
    [
        st.Page("screens/queue.py", title="Queue", default=True),
        st.Page("screens/campaign.py", title="Campaign", url_path="campaign"),
        st.Page("screens/account.py", title="Account", url_path="account"),
        st.Page("screens/decisions.py", title="Decisions & export", url_path="decisions"),
        st.Page("screens/nights.py", title="Nights", url_path="nights"),
    ]
)

with st.sidebar:
    show(f'<p class="sw-brand">Stillwatch</p><p class="sw-place">{inert(reading.workspace_name())}</p>')

page.run()
