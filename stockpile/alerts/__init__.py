"""Alerts: what somebody should hear of at once. Found in what the books hold already, so that none is lost; told on a page, by web feed
and by e-mail.
"""
