//! One file per command: resolve, plan, confirm, execute, render.
