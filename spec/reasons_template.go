package spec

// Action templates (protocol.md 5.4).
var templateReasons = []Reason{
	{"template-invalid", "The template is not one that Writ reads.", "Correct the place that the error names; see the schema of action templates."},
	{"templates-many", "The mandate names more than 8 templates.", "Split the mandate."},
	{"template-repeated", "The mandate names two templates for one action type.", "Keep one of the two."},
	{"template-unknown", "The mandate names a template that is not here.", "Hand it over first, with writ template add."},
	{"template-other", "The mandate says another action type or title of a template than the template itself.", "Copy both from the template."},
	{"template-member", "The action has a member that its template does not have.", "Leave it out, or have a mandate granted with another template."},
	{"template-absent", "The action lacks a member that its template asks for.", "Add it."},
	{"template-kind", "A member of the action is of another kind than its template says.", "Write it as the template says."},
	{"template-value", "A member of the action is longer than its template allows, or has a value that the template does not list.", "Write it as the template says."},
	{"bundle-templates", "The bundle does not have exactly the templates that its mandates name.", "Have it exported again."},
}
