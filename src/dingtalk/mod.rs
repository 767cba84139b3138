//! The chatbot.
