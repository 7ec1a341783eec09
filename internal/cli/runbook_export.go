// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

type runbookExportCommand struct {
	ID          string `arg:"" help:"A runbook's id, or a folder."`
	FunctionARN string `name:"function-arn" help:"The Lambda function of every action group." placeholder:"ARN"`
}

// Help is the long help.
func (runbookExportCommand) Help() string {
	return `Prints the runbook's state machine as AWS Step Functions runs it: each action is a call of the Lambda function of its group.
Without --function-arn the functions and the partition are placeholders of CloudFormation's DefinitionSubstitutions, as
${SwitchbackActionsCloudtrail} and ${SwitchbackPartition}. Needs no credentials.

Example:
  switchback runbook export cloudtrail-off > cloudtrail-off.asl.json
  switchback statemachine check --aws cloudtrail-off.asl.json`
}

// Run prints the definition.
func (c *runbookExportCommand) Run(s *streams, g *grammar) error {
	b, err := oneOf(g, c.ID)
	if err != nil {
		return err
	}
	definition, err := b.Export(c.FunctionARN)
	if err != nil {
		return err
	}
	_, err = s.out.Write(definition)
	return err
}
