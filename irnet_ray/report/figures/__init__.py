"""The figures of a report: each module holds one, a pure data step and a drawing step."""
