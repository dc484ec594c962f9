// The times on the pages of the administration, which need no other script of ours.
import "./times.js";
